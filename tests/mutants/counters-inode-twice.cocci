// SPDX-License-Identifier: GPL-2.0-only
// Counts a shared inode once for each file of the mount that has it.
//
// Fails: Counters.EachSharedInodeOfAMountCountsOnce
@@
identifier sum, resident;
symbol link;
@@
 erofs_share_sum_mount(...)
 {
 	<...
-	sum->resident += resident;
+	sum->resident += resident * link->files;
 	...>
 }
