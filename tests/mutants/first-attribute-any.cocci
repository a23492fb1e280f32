// SPDX-License-Identifier: GPL-2.0-only
// Takes whatever attribute a file has first for its fingerprint.
//
// Fails: Fingerprint.AnAttributeThatComesBeforeItIsNotTakenForIt
@@
expression A, B, C, D;
@@
 erofs_share_first_attribute(...)
 {
 	<...
-	if (A || B || C || D)
+	if (B || C || D)
 		goto out;
 	...>
 }
