// SPDX-License-Identifier: GPL-2.0-only
// Leaves what an image has behind the end of a file in the folio.
//
// Fails: Layouts/PatchedTailBytes.*/4k_plain_*
@@
@@
 erofs_share_part_end(...)
 {
 	<...
-	erofs_share_clear_tail(...);
+	;
 	...>
 }
