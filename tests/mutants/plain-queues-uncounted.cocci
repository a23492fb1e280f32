// SPDX-License-Identifier: GPL-2.0-only
// Counts decompression queues on mounts that share only: the others may be gone
// when a queue ends. The pause is that of a task which is preempted there.
//
// Fails: Layouts/UnmountInFlight.*/enc_lz4_*
@@ @@
 #include "compat.h"
+#include <linux/delay.h>

@@
identifier sync, sb;
statement S;
@@
 erofs_share_queue_begin(struct super_block *sb, bool sync)
 {
-	if (!sync)
+	if (!sync && EROFS_SB(sb)->share.wanted)
 		S
 }

@@
identifier sb;
@@
 erofs_share_queue_end(struct super_block *sb)
 {
+	usleep_range(50000, 60000);
+	if (EROFS_SB(sb)->share.wanted)
 	erofs_share_read_end(&EROFS_SB(sb)->share);
 }
