// SPDX-License-Identifier: GPL-2.0-only
// Gives regular files the file operations that attach them when opened.
//
// Lands: inode.c erofs_share_fill_inode +1
@@
identifier inode;
@@
 erofs_fill_inode(struct inode *inode)
 {
 	<...
 	mapping_set_large_folios(inode->i_mapping);
+	erofs_share_fill_inode(inode);
 	...>
 }
