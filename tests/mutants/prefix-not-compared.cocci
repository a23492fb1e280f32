// SPDX-License-Identifier: GPL-2.0-only
// Takes any long prefix of the right length for the one that is looked for.
//
// Only: 6.1
// Fails: Images/Attributes.OfOtherNamesAreNotThere/*
@@
expression A, B, C;
@@
 erofs_share_match_prefix(...)
 {
 	<...
-	A || B < C ||
-	    memcmp(...)
+	A || B < C
 	...>
 }
