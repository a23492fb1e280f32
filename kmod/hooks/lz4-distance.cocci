// SPDX-License-Identifier: GPL-2.0-only
// Does not believe the LZ4 distance that an image declares, on mounts with
// inode_share: pages which lie further back are used again before all of a cluster
// is decompressed, and a stream that reaches back to them would have contents that
// depend on which pages these are.  6.12 has no such pages.
//
// Lands: decompressor.c share.wanted +1 if decompressor.c has sbi->lz4.max_distance_pages = distance
@@
expression E, F;
identifier sbi, distance;
@@
 	sbi->lz4.max_distance_pages =
-	distance
+	distance && !sbi->share.wanted
 	? E : F;
