// SPDX-License-Identifier: GPL-2.0-only
// Gives each superblock our state, and the upstream files our declarations.
//
// Lands: internal.h share.h +1
// Lands: internal.h erofs_share_sb +1
@@ @@
 #include "erofs_fs.h"
+#include "share.h"

@@ @@
 struct erofs_sb_info {
 	...
+	struct erofs_share_sb share;
 };
