// SPDX-License-Identifier: GPL-2.0-only
// The mounts that fail, or are odd.
#include "secrecy/rejected_mounts.h"

#include <sys/mount.h>

namespace erofs_share {

namespace {

const RequestOption kShare{.key = "inode_share"};
const RequestOption kId{.key = "domain_id", .value = OptionValue::kId};

RequestOption id_as(OptionValue value)
{
	return {.key = "domain_id", .value = value};
}

RequestOption text(const std::string &key, const std::string &value)
{
	return {.key = key, .value = OptionValue::kText, .text = value};
}

/// Within erofs' reach, each in both ways or in one of them.
void add_within_reach(const TrialDisks &disks, std::vector<Trial> &trials)
{
	const auto add = [&](const char *name,
			     std::vector<RequestOption> options) -> Trial & {
		trials.push_back({.name = name,
				  .request = {.source = disks.good,
					      .target = disks.target,
					      .options = std::move(options)}});
		return trials.back();
	};

	add("not an erofs image", {kShare, kId}).request.source =
		disks.not_erofs;
	Trial &bare = add("an image without fingerprints", {kShare, kId});
	bare.request.source = disks.without_fingerprints;
	bare.works = true;
	add("domain_id given twice", {kShare, kId, kId});
	add("an id that is too long", {kShare, id_as(OptionValue::kLongId)});
	add("an empty id behind the id", {kShare, kId, text("domain_id", "")});
	add("domain_id without inode_share", {kId}).works = true;
	add("dax=always as well", {kShare, kId, text("dax", "always")});
	add("an unknown option behind it", {kShare, kId, {.key = "unknown"}});
	add("an unknown option before it", {kShare, {.key = "unknown"}, kId});
	add("no source", {kShare, kId}).request.source.reset();
	add("mounted in another domain already", {kShare, kId}).request.source =
		disks.mounted;
	Trial &missing = add("a target that is not there", {kShare, kId});
	missing.request.target = "/mnt/not/there";
	missing.beyond = kMountWay;

	Trial &behind =
		add("a second id behind the options' end", {kShare, kId});
	behind.request.id_behind_end = true;
	behind.works = true;
	behind.only = kMountWay;

	Trial &unused = add("a context closed unused", {kShare, kId});
	unused.request.target = "";
	unused.works = true;
	unused.only = kFsconfigWay;
	add("the option's name misspelt",
	    {kShare, {.key = "domainid", .value = OptionValue::kId}});
	add("the id as binary data", {kShare, id_as(OptionValue::kBlob)}).only =
		kFsconfigWay;
	add("the id as a path", {kShare, id_as(OptionValue::kPath)}).only =
		kFsconfigWay;
}

/// The kernel's generic code keeps, or frees unwiped, what it copied from its
/// caller in these; erofs is never told of the id.
void add_out_of_reach(const TrialDisks &disks, std::vector<Trial> &trials)
{
	const auto add = [&](const char *name, const char *beyond) -> Trial & {
		trials.push_back(
			{.name = name,
			 .request = sharing_request(disks.good, disks.target),
			 .beyond = beyond});
		return trials.back();
	};

	// fs/fsopen.c: vfs_fsconfig_locked() says EBUSY.
	Trial &late =
		add("an option after the superblock was made", kFsconfigWay);
	late.request.options_after_create = true;
	late.only = kFsconfigWay;
	// fs/namespace.c: path_mount() and do_new_mount() end before
	// parse_monolithic_mount_data(), or do not call it.
	Trial &unknown = add("an unknown type of file system", kMountWay);
	unknown.request.type = "nosuchfs";
	unknown.only = kMountWay;
	Trial &bind = add("a bind remount, which takes no options", kMountWay);
	bind.request.target = disks.mount_point;
	bind.request.remount = true;
	bind.request.flags = MS_BIND;
	bind.works = true;
	bind.only = kMountWay;
	Trial &place = add("a remount of what is no mount", kMountWay);
	place.request.remount = true;
	place.only = kMountWay;
	Trial &nobody = add("a caller who may not mount", kMountWay);
	nobody.in_another_user = true;
	nobody.only = kMountWay;
	// erofs sees an option that it does not know, and no value.
	Trial &name = add("the id in the option's name", kFsconfigWay);
	name.request.options = {kShare, id_as(OptionValue::kInName)};
	name.only = kFsconfigWay;
}

} // namespace

MountRequest sharing_request(const std::string &source,
			     const std::string &target)
{
	return {.source = source, .target = target, .options = {kShare, kId}};
}

std::vector<Trial> all_trials(const TrialDisks &disks)
{
	std::vector<Trial> trials;

	add_within_reach(disks, trials);
	add_out_of_reach(disks, trials);
	return trials;
}

} // namespace erofs_share
