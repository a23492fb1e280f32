// SPDX-License-Identifier: GPL-2.0-only
// Gives regular files the file operations that attach them when opened.
//
// Lands: inode.c erofs_share_fill_inode +1
@@
identifier inode;
@@
 erofs_iget(...)
 {
 	<...
+	erofs_share_fill_inode(inode);
 	unlock_new_inode(inode);
 	...>
 }
