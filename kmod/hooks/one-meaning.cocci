// SPDX-License-Identifier: GPL-2.0-only
// Refuses an extent that takes a physical cluster, which was read before, for
// something else than it was read as.
//
// Lands: zdata.c erofs_share_cluster_differs +1
// Lands: zdata.c z_erofs_put_pcluster( +2 if zdata.c has z_erofs_put_pcluster
// Lands: zdata.c erofs_workgroup_put( +1 if zdata.c lacks z_erofs_put_pcluster
@@
@@
 z_erofs_get_pcluster(...)
 {
 	...
 }
+
+static void z_erofs_put_pcluster(struct erofs_sb_info *sbi,
+				 struct z_erofs_pcluster *pcl, bool try_free);

@@
identifier f, map, ret;
type T;
@@
 z_erofs_pcluster_begin(T *f)
 {
 	...
 	struct erofs_map_blocks *map = &f->map;
 	...
+	if (ret == -EEXIST &&
+	    erofs_share_cluster_differs(f->inode->i_sb, map,
+					f->pcl->algorithmformat,
+					f->pcl->pclustersize,
+					f->pcl->pageofs_out)) {
+		z_erofs_put_pcluster(EROFS_SB(f->inode->i_sb), f->pcl, false);
+		f->pcl = NULL;
+		return -EFSCORRUPTED;
+	}
 	if (ret == -EEXIST) {
 		...
 	} else if (ret) {
 		return ret;
 	}
 	...
 }

@@
identifier f, map, ret;
type T;
@@
 z_erofs_collector_begin(T *f)
 {
 	...
 	struct erofs_map_blocks *map = &f->map;
 	...
+	if (ret == -EEXIST &&
+	    erofs_share_cluster_differs(f->inode->i_sb, map,
+					f->pcl->algorithmformat,
+					f->pcl->pclusterpages << PAGE_SHIFT,
+					f->pcl->pageofs_out)) {
+		erofs_workgroup_put(&f->pcl->obj);
+		f->pcl = NULL;
+		return -EFSCORRUPTED;
+	}
 	if (ret == -EEXIST) {
 		...
 	} else if (ret) {
 		return ret;
 	}
 	...
 }
