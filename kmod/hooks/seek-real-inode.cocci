// SPDX-License-Identifier: GPL-2.0-only
// Seeks for holes and data in the layout of the file's own image: a shared
// mapping's host has none.
//
// Lands: data.c file_inode(file) +1 if data.c has erofs_file_llseek
@@
identifier file;
@@
 erofs_file_llseek(struct file *file, ...)
 {
 	<...
-	file->f_mapping->host
+	file_inode(file)
 	...>
 }
