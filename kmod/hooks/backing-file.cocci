// SPDX-License-Identifier: GPL-2.0-only
// Reads an image that lies in a file of another image through that file's own
// mapping, never through a shared one.
//
// Lands: super.c erofs_share_backing_file +2 if super.c has dif0.file = file
@@
expression E;
identifier f;
@@
(
 	E->dif0.file = f;
+	erofs_share_backing_file(f);
|
 	E->file = f;
+	erofs_share_backing_file(f);
)
