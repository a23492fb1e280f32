// SPDX-License-Identifier: GPL-2.0-only
// Sets us up before the filesystem can be mounted.
//
// Lands: super.c erofs_share_module_init +1
@@ @@
 erofs_module_init(...)
 {
 	...
 	erofs_check_ondisk_layout_definitions();
+	erofs_share_module_init(&erofs_context_ops);
 	...
 }
