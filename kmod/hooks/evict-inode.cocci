// SPDX-License-Identifier: GPL-2.0-only
// Detaches a real inode from its shared inode when it goes.
//
// Lands: super.c erofs_share_evict_inode +1
@@ @@
 const struct super_operations erofs_sops = {
+	.evict_inode = erofs_share_evict_inode,
 };
