// SPDX-License-Identifier: GPL-2.0-only
// Knows the fingerprint's name only where one prefix is all of it.
//
// Fails: Cases/FingerprintRule.*/two_split_and_whole
@@
symbol item, sbi;
expression A, B;
@@
 erofs_share_infix_len(...)
 {
 	<...
-	A > B || memcmp(...)
+	item != sbi->share.name
 	...>
 }
