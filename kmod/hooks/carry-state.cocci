// SPDX-License-Identifier: GPL-2.0-only
// Gives each superblock our state, and the upstream files our declarations.
//
// Before 6.6, options are parsed into a context of their own, which the
// superblock's state is filled from.
//
// Lands: internal.h share.h +1
// Lands: internal.h erofs_share_sb +1 if internal.h lacks struct erofs_fs_context
// Lands: internal.h erofs_share_sb +2 if internal.h has struct erofs_fs_context
// Lands: super.c ctx->share +1 if internal.h has struct erofs_fs_context
@@ @@
 #include "erofs_fs.h"
+#include "share.h"

@@ @@
 struct erofs_sb_info {
 	...
+	struct erofs_share_sb share;
 };

@@ @@
 struct erofs_fs_context {
 	...
+	struct erofs_share_sb share;
 };

@@
identifier sbi, ctx;
@@
 erofs_fc_fill_super(...)
 {
 	<...
 	sbi->opt = ctx->opt;
+	sbi->share = ctx->share;
 	...>
 }
