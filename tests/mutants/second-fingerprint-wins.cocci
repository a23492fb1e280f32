// SPDX-License-Identifier: GPL-2.0-only
// Takes the last of several fingerprints.
//
// Fails: Cases/FingerprintRule.*/two_own_first
@@
expression A, B, C;
@@
 erofs_share_look_at(...)
 {
 	<...
-	if (A || B || C)
+	if (B || C)
 		return -ENODATA;
 	...>
 }
