// SPDX-License-Identifier: GPL-2.0-only
// Reads compressed data through the image of the file that is read: a shared
// mapping's host is the shared inode, which no image describes.
//
// Lands: zdata.c erofs_share_real_inode +2
@@
identifier file, folio;
@@
 z_erofs_read_folio(struct file *file, struct folio *folio)
 {
 	...
-	folio->mapping->host
+	erofs_share_real_inode(folio->mapping, file)
 	...
 }

@@
identifier rac;
@@
 z_erofs_readahead(struct readahead_control *rac)
 {
 	...
-	rac->mapping->host
+	erofs_share_real_inode(rac->mapping, rac->file)
 	...
 }
