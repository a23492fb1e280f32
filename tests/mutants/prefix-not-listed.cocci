// SPDX-License-Identifier: GPL-2.0-only
// Lists attributes without what their long prefix stands for.
//
// Only: 6.1
// Fails: Images/Attributes.AreListedByTheirWholeNames/*
@@
identifier item, prefix;
@@
 erofs_share_full_prefix(...)
 {
 	<...
-	return item && item->full ? item->full : prefix;
+	return prefix;
 	...>
 }
