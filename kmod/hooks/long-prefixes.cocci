// SPDX-License-Identifier: GPL-2.0-only
// Lets kernels without long attribute name prefixes (6.1) list and get the
// attributes that have one.  xattr_prefixes.c reads the table of prefixes and has
// all the rest; other images, and all other features, are as with the stock
// module.
//
// Lands: internal.h xattr_prefixes +1 if xattr.c lacks LONG_PREFIX
// Lands: super.c EROFS_SHARE_KNOWN_INCOMPAT +2 if xattr.c lacks LONG_PREFIX
// Lands: xattr.c erofs_share_match_prefix +1 if xattr.c lacks LONG_PREFIX
// Lands: xattr.c it->infix_len +2 if xattr.c lacks LONG_PREFIX
// Lands: xattr.c erofs_share_base_index +1 if xattr.c lacks LONG_PREFIX
// Lands: xattr.c erofs_share_full_prefix +1 if xattr.c lacks LONG_PREFIX
@@ @@
 struct erofs_sb_info {
 	...
+	struct erofs_xattr_prefix_item *xattr_prefixes;
+	u8 xattr_prefix_count;
 };

@@ @@
 check_layout_compatibility(...)
 {
 	<...
-	EROFS_ALL_FEATURE_INCOMPAT
+	EROFS_SHARE_KNOWN_INCOMPAT
 	...>
 }

@@ @@
 struct getxattr_iter {
 	...
+	unsigned int infix_len;
 };

@@
identifier _it, entry, it;
@@
 xattr_entrymatch(struct xattr_iter *_it, struct erofs_xattr_entry *entry)
 {
 	...
-	return (it->index != entry->e_name_index ||
-		it->name.len != entry->e_name_len) ? -ENOATTR : 0;
+	return erofs_share_match_prefix(_it->sb, entry, it->index, &it->name,
+					&it->infix_len);
 }

@@
identifier it, processed;
@@
 xattr_namematch(...)
 {
 	<...
-	it->name.name + processed
+	it->name.name + it->infix_len + processed
 	...>
 }

@@
identifier _it, entry, h;
@@
 xattr_entrylist(struct xattr_iter *_it, struct erofs_xattr_entry *entry)
 {
 	<...
(
-	erofs_xattr_handler(entry->e_name_index)
+	erofs_xattr_handler(erofs_share_base_index(_it->sb, entry->e_name_index))
|
-	xattr_prefix(h)
+	erofs_share_full_prefix(_it->sb, entry->e_name_index, xattr_prefix(h))
)
 	...>
 }
