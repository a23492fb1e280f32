// SPDX-License-Identifier: GPL-2.0-only
// Counts files of a mount that are evicted as attached.
//
// Fails: Counters.FilesCountFromTheirFirstOpenToTheirEviction
@@
identifier link;
@@
 erofs_share_uncount_file(...)
 {
 	<...
-	link->mount->files--;
 	...>
 }
