// SPDX-License-Identifier: GPL-2.0-only
// Looks for the shared inode and makes it when there is none, without looking
// again under the lock: two that come at once make one each. The pause is that of
// a task which is preempted there.
//
// Fails: OpenRace.FirstOpensThroughSixteenImagesYieldOneSharedInode
@@ @@
 #include "compat.h"
+#include <linux/delay.h>

@@
symbol inode, erofs_share_test_key, erofs_share_set_key;
expression S, H, K;
@@
-	inode = iget5_locked(S, H, erofs_share_test_key, erofs_share_set_key, K);
+	inode = ilookup5(S, H, erofs_share_test_key, K);
+	if (!inode) {
+		usleep_range(500, 1000);
+		inode = new_inode(S);
+		if (!inode) {
+			kfree(K);
+			return NULL;
+		}
+		erofs_share_set_key(inode, K);
+		inode->i_state |= I_NEW;
+		__insert_inode_hash(inode, H);
+	}
