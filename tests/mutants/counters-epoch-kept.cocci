// SPDX-License-Identifier: GPL-2.0-only
// Goes on counting reads when all pages of a file have gone.
//
// Fails: Counters.PagesReadAgainAreThoseOfWhoeverReadThemLast
@@
identifier tally;
@@
 erofs_share_count_read(...)
 {
 	<...
-	tally->epoch++;
-	tally->pages = 0;
 	...>
 }
