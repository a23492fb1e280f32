// SPDX-License-Identifier: GPL-2.0-only
// Sees to it that an image which lies in a file of another image is not read through
// a shared mapping that it could be read into.
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
