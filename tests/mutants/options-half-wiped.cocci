// SPDX-License-Identifier: GPL-2.0-only
// Wipes the option string of mount(2), but not the rest of its page, and not an
// id that was given as a path.
//
// Fails: ram-search a second id behind the options' end
@@
expression data;
@@
-	erofs_share_options_size(data)
+	strlen(data)

@@
symbol param;
@@
-	memzero_explicit((char *)param->name->name,
-			 strlen(param->name->name));
