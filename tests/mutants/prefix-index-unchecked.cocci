// SPDX-License-Identifier: GPL-2.0-only
// Believes the superblock that there is a prefix with the number which it gives
// for the fingerprints' name.
//
// Fails: fuzz inline,lz4 400
// Kernel: 6.12-debug
@@
expression id, E;
@@
 erofs_share_find_fingerprints(...)
 {
 	...
-	if (id >= E) { ... }
 	...
 }
