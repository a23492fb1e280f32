// SPDX-License-Identifier: GPL-2.0-only
// Reads an image that lies in a file of another one through the shared mapping.
//
// Fails: TODO
@@
@@
 erofs_share_backing_file(...)
 {
 	...
-	if (...)
-		file->f_mapping = &inode->i_data;
 }
