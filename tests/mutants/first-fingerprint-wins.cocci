// SPDX-License-Identifier: GPL-2.0-only
// Takes a fingerprint that is the first attribute without looking at what follows.
//
// Fails: Cases/FingerprintRule.*/two_lower_first
@@
expression A, B, C, D, E;
@@
 erofs_share_only_attribute(...)
 {
 	<...
-	if (A && B && C && D && E)
+	if (A && B && C && D)
 	{ ... }
 	...>
 }
