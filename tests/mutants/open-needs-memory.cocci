// SPDX-License-Identifier: GPL-2.0-only
// An open fails where there is no memory to attach the file with.
//
// Fails: Slice/FaultyAttach.NeedsNoMemoryToReadUnshared/4k_inline_disk_found
// Kernel: 6.12-debug
@@
identifier inode, file;
@@
 static int erofs_share_open(struct inode *inode, struct file *file)
 {
 ...
 if (!erofs_share_attached(inode))
-	return 0;
+	return i_size_read(inode) && !IS_DAX(inode) ? -ENOMEM : 0;
 ...
 }
