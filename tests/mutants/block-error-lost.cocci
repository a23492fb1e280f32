// SPDX-License-Identifier: GPL-2.0-only
// Takes what a failed request left in a folio for the file's contents.
//
// Fails: Slice/FaultyDisk.*/4k_inline_disk
// Kernel: 6.12-debug
@@
identifier bio;
@@
 erofs_share_end_io(...)
 {
 	...
-	bool error = bio->bi_status != BLK_STS_OK;
+	bool error = false;
 	...
 }
