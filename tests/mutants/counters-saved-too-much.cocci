// SPDX-License-Identifier: GPL-2.0-only
// Takes the one copy that there is for saved as well.
//
// Fails: Counters.SavedIsWhatFurtherSharersWouldHaveCached
@@
identifier tally;
@@
 erofs_share_sum_domain(...)
 {
 	<...
-	tally->files - 1
+	tally->files
 	...>
 }
