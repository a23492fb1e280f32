// SPDX-License-Identifier: GPL-2.0-only
// Takes whatever attribute a file has alone for its fingerprint.
//
// Fails: Fingerprint.AnAttributeThatComesBeforeItIsNotTakenForIt
@@
expression A, B, C, D, E;
@@
 erofs_share_only_attribute(...)
 {
 	<...
-	if (A && B && C && D && E)
+	if (A && C && D)
 	{ ... }
 	...>
 }
