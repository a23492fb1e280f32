// SPDX-License-Identifier: GPL-2.0-only
// Keeps the reference on the shared inode of an open that came too late to attach
// the file. The pause is that of a task which is preempted there.
//
// Fails: OpenRace.FirstOpensThroughSixteenImagesYieldOneSharedInode
@@ @@
 #include "compat.h"
+#include <linux/delay.h>

@@
symbol shared, inode;
@@
 erofs_share_attach(...)
 {
 	<...
(
+	usleep_range(5000, 6000);
 	spin_lock(&inode->i_lock);
|
-	iput(shared);
+	;
)
 	...>
 }
