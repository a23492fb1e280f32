// SPDX-License-Identifier: GPL-2.0-only
// Takes a folio for read although looking up or copying a part of it failed.
//
// Fails: SliceWays/FaultyRead.*/4k_inline_disk_single:Slice/FaultyBlocks.OfARead*/4k_inline_disk
// Kernel: 6.12-debug
@@
identifier folio, err;
@@
 erofs_share_read_plain(...)
 {
 	<...
-	erofs_share_part_end(folio, err);
+	erofs_share_part_end(folio, false);
 	...>
 }
