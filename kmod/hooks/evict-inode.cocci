// SPDX-License-Identifier: GPL-2.0-only
// Detaches a real inode from its shared inode when it goes: at the end of the
// stock operation, or with one of ours where there is none.
//
// Lands: super.c erofs_share_evict_inode +1 if super.c lacks .evict_inode
// Lands: super.c erofs_share_detach +1 if super.c has .evict_inode
@ stock @
identifier evict;
@@
 const struct super_operations erofs_sops = {
 	.evict_inode = evict,
 };

@@
identifier stock.evict, inode;
@@
 evict(struct inode *inode)
 {
 	...
 	clear_inode(inode);
+	erofs_share_detach(inode);
 }

@ depends on !stock @
@@
 const struct super_operations erofs_sops = {
+	.evict_inode = erofs_share_evict_inode,
 };
