// SPDX-License-Identifier: GPL-2.0-only
// Forgets the key of a shared inode for which there was no memory.
//
// Fails: Slice/FaultyAttach.NeedsNoMemoryToReadUnshared/4k_inline_disk_made
// Kernel: 6.12-debug
@@
identifier inode, key;
@@
 erofs_share_iget(...)
 {
 	...
-	if (!inode || inode->i_private != key)
+	if (inode && inode->i_private != key)
 		kfree(key);
 	...
 }
