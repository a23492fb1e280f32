// SPDX-License-Identifier: GPL-2.0-only
// The images of the fingerprint rule. How files are made of this list is in
// fingerprint_case_images.cpp.
#include "content/fingerprint_cases.h"

#include <utility>

namespace erofs_share {

namespace {

// Namespaces of attributes.
constexpr std::uint8_t kHidden = 0;
constexpr std::uint8_t kUser = 1;
constexpr std::uint8_t kTrusted = 4;
constexpr std::uint8_t kSecurity = 6;

// Prefixes of the images built here.
constexpr std::uint8_t kLong = 0x80;
constexpr std::uint8_t kWhole = kLong | 0;   ///< the fingerprint's name
constexpr std::uint8_t kHalf = kLong | 1;    ///< its first half
constexpr std::uint8_t kAgain = kLong | 2;   ///< its name once more
constexpr std::uint8_t kOther = kLong | 3;   ///< another name
constexpr std::uint8_t kMissing = kLong | 9; ///< not in the table

constexpr const char *kNamed = "--xattr-inode-digest=trusted.erofs.fingerprint";
constexpr const char *kNamedAttribute = "trusted.erofs.fingerprint";
constexpr const char *kHiddenForm = "--xattr-inode-digest";
constexpr const char *kHiddenAttribute = "erofs.fingerprint.v1";

constexpr std::size_t kLongest = 256;

using Attributes = std::vector<RawAttribute>;

/// An image of one file with the inline attributes @inline_ones.
RawImage with(Attributes inline_ones)
{
	RawImage image;

	image.prefixes = {{kTrusted, "erofs.fingerprint"},
			  {kTrusted, "erofs."},
			  {kTrusted, "erofs.fingerprint"},
			  {kUser, "other."}};
	image.files.resize(1);
	image.files.front().name = kCaseFile;
	image.files.front().attributes = std::move(inline_ones);
	return image;
}

/// The same with @shared ones, each referred to once, before them.
RawImage with_shared(Attributes shared, Attributes inline_ones = {})
{
	RawImage image = with(std::move(inline_ones));

	for (std::size_t i = 0; i < shared.size(); i++)
		image.files.front().shared.push_back(i);
	image.shared = std::move(shared);
	return image;
}

/// The hidden form of what with() makes.
RawImage hidden(Attributes inline_ones)
{
	RawImage image = with(std::move(inline_ones));

	image.prefixes.front() = {kHidden, kHiddenAttribute};
	return image;
}

/// An attribute of no interest that leaves the next one to begin @rest bytes
/// before the end of the block, when it is the first.
RawAttribute filler(std::size_t rest, std::size_t block = 4096)
{
	const std::string name = "filler";

	return {kUser, name,
		std::string(block - rest - kFirstAttribute - kAttributeHeader -
				    name.size(),
			    'f')};
}

RawAttribute label()
{
	return {kSecurity, "selinux",
		std::string("system_u:object_r:lib_t:s0\0", 27)};
}

using Build = std::function<RawImage(const CaseValues &)>;
using Archive = std::function<std::vector<Attribute>(const CaseValues &)>;

class List {
      public:
	std::vector<FingerprintCase> run()
	{
		one();
		one_behind_others();
		hidden_name();
		none();
		two();
		two_apart();
		unusable();
		damaged();
		by_mkfs();
		return std::move(cases_);
	}

      private:
	void add(std::string name, CaseVerdict verdict, Build build,
		 bool honest = true)
	{
		cases_.push_back({.name = std::move(name),
				  .verdict = verdict,
				  .honest = honest,
				  .build = std::move(build),
				  .options = {},
				  .attributes = {}});
	}

	void add(std::string name, CaseVerdict verdict,
		 std::vector<std::string> options, Archive attributes)
	{
		cases_.push_back({.name = std::move(name),
				  .verdict = verdict,
				  .honest = true,
				  .build = {},
				  .options = std::move(options),
				  .attributes = std::move(attributes)});
	}

	void one()
	{
		add("one-inline", CaseVerdict::kOne, [](const CaseValues &v) {
			return with({{kWhole, "", v.own}});
		});
		add("one-shared", CaseVerdict::kOne, [](const CaseValues &v) {
			return with_shared({{kWhole, "", v.own}});
		});
		add("one-without-prefix", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with(
				    {{kTrusted, "erofs.fingerprint", v.own}});
		    });
		add("one-split", CaseVerdict::kOne, [](const CaseValues &v) {
			return with({{kHalf, "fingerprint", v.own}});
		});
		add("one-split-shared", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with_shared({{kHalf, "fingerprint", v.own}});
		    });
		add("one-in-small-blocks", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    image.block_size = 512;
			    return image;
		    });
		add(
			"one-of-1-byte", CaseVerdict::kOne,
			[](const CaseValues &) {
				return with({{kWhole, "", "1"}});
			},
			false);
		add(
			"one-of-256-bytes", CaseVerdict::kOne,
			[](const CaseValues &) {
				return with({{kWhole, "",
					      std::string(kLongest, 'l')}});
			},
			false);
		add("one-denied-by-filter", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    image.name_filters = true;
			    image.files.front().name_filter = UINT32_MAX;
			    return image;
		    });
		add("one-split-denied-by-filter", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    RawImage image =
				    with({{kHalf, "fingerprint", v.own}});

			    image.name_filters = true;
			    image.files.front().name_filter = UINT32_MAX;
			    return image;
		    });
	}

	void one_behind_others()
	{
		add("one-behind-label", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with({label(), {kWhole, "", v.own}});
		    });
		add("one-before-a-block", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with(
				    {{kWhole, "", v.own}, filler(0), label()});
		    });
		add("one-behind-a-block", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with({filler(0), {kWhole, "", v.own}});
		    });
		// Its header, or its value, crosses the end of the block.
		add("one-across-blocks", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with({filler(20), {kWhole, "", v.own}});
		    });
		add("one-header-ends-block", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with({filler(4), {kWhole, "", v.own}});
		    });
		add("one-name-across-blocks", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with(
				    {filler(8),
				     {kTrusted, "erofs.fingerprint", v.own}});
		    });
		add("one-behind-small-blocks", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    RawImage image = with(
				    {filler(8, 2048), {kWhole, "", v.own}});

			    image.block_size = 512;
			    return image;
		    });
		add("one-behind-255-shared", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    image.shared = {label()};
			    image.files.front().shared.assign(255, 0);
			    return image;
		    });
		add("one-last-of-255-shared", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    RawImage image = with({label()});

			    image.shared = {label(), {kWhole, "", v.own}};
			    image.files.front().shared.assign(255, 0);
			    image.files.front().shared.back() = 1;
			    return image;
		    });
		// What resolves to nothing, or to another name, counts not.
		add("one-and-missing-prefix", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with({{kMissing, "", v.low},
					 {kMissing, "erofs.fingerprint", v.low},
					 {kWhole, "", v.own}});
		    });
		add("one-and-namesakes", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return with(
				    {{kUser, "erofs.fingerprint", v.low},
				     {kTrusted, "erofs.fingerprint2", v.low},
				     {kTrusted, "erofs.fingerprin", v.low},
				     {kTrusted, "erofs.Fingerprint", v.low},
				     {kHalf, "fingerprints", v.low},
				     {kHalf, "", v.low},
				     {kOther, "fingerprint", v.low},
				     {kWhole, "x", v.low},
				     {kWhole, "", v.own}});
		    });
	}

	void hidden_name()
	{
		add("hidden-one", CaseVerdict::kOne, [](const CaseValues &v) {
			return hidden({{kWhole, "", v.own}});
		});
		add("hidden-one-behind-label", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return hidden({label(), {kWhole, "", v.own}});
		    });
		add("hidden-one-without-prefix", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return hidden({{kHidden, kHiddenAttribute, v.own}});
		    });
		// The named one means nothing here, however much it looks so.
		add("hidden-one-beside-named", CaseVerdict::kOne,
		    [](const CaseValues &v) {
			    return hidden(
				    {{kTrusted, "erofs.fingerprint", v.low},
				     {kUser, kHiddenAttribute, v.low},
				     {kWhole, "", v.own}});
		    });
		add("hidden-two", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return hidden(
				    {{kWhole, "", v.low}, {kWhole, "", v.own}});
		    });
		add("hidden-two-ways", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return hidden({{kHidden, kHiddenAttribute, v.low},
					   {kWhole, "", v.own}});
		    });
	}

	void none()
	{
		add("none-at-all", CaseVerdict::kNone,
		    [](const CaseValues &) { return with({}); });
		add("none-in-header", CaseVerdict::kNone,
		    [](const CaseValues &) {
			    RawImage image = with({});

			    image.files.front().bare_header = true;
			    return image;
		    });
		add("none-but-others", CaseVerdict::kNone,
		    [](const CaseValues &v) {
			    return with_shared(
				    {label()},
				    {{kUser, "erofs.fingerprint", v.own},
				     {kWhole, "x", v.own}});
		    });
		add("none-but-missing-prefix", CaseVerdict::kNone,
		    [](const CaseValues &v) {
			    return with({{kMissing, "", v.own}});
		    });
	}

	void two()
	{
		add("two-lower-first", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with(
				    {{kWhole, "", v.low}, {kWhole, "", v.own}});
		    });
		add("two-higher-first", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kWhole, "", v.high},
					 {kWhole, "", v.own}});
		    });
		add("two-own-first", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kWhole, "", v.own},
					 {kWhole, "", v.high}});
		    });
		add("two-equal", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with(
				    {{kWhole, "", v.own}, {kWhole, "", v.own}});
		    });
		add("two-and-an-empty-one", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with(
				    {{kWhole, "", v.own}, {kWhole, "", ""}});
		    });
		add("two-and-a-too-long-one", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kWhole, "", v.own},
					 {kWhole, "",
					  std::string(kLongest + 1, 'L')}});
		    });
		add("two-whole-and-split", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kWhole, "", v.own},
					 {kHalf, "fingerprint", v.low}});
		    });
		add("two-split-and-whole", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kHalf, "fingerprint", v.low},
					 {kWhole, "", v.own}});
		    });
		add("two-whole-and-plain", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with(
				    {{kWhole, "", v.own},
				     {kTrusted, "erofs.fingerprint", v.low}});
		    });
		add("two-plain-and-split", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kTrusted, "erofs.fingerprint", v.low},
					 {kHalf, "fingerprint", v.own}});
		    });
		add("two-equal-prefixes", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with(
				    {{kWhole, "", v.own}, {kAgain, "", v.low}});
		    });
		add("two-denied-by-filter", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    RawImage image = with(
				    {{kWhole, "", v.low}, {kWhole, "", v.own}});

			    image.name_filters = true;
			    image.files.front().name_filter = UINT32_MAX;
			    return image;
		    });
	}

	void two_apart()
	{
		add("two-inline-and-shared", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with_shared({{kWhole, "", v.own}},
					       {{kWhole, "", v.low}});
		    });
		add("two-shared-and-inline", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with_shared({{kWhole, "", v.low}},
					       {{kWhole, "", v.own}});
		    });
		add("two-shared", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with_shared(
				    {{kWhole, "", v.low}, {kWhole, "", v.own}});
		    });
		add("two-shared-is-one-twice", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    RawImage image = with({});

			    image.shared = {{kWhole, "", v.own}};
			    image.files.front().shared = {0, 0};
			    return image;
		    });
		add("two-shared-split", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with_shared({{kHalf, "fingerprint", v.low}},
					       {{kWhole, "", v.own}});
		    });
		add("two-last-of-255-shared", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    image.shared = {label(), {kWhole, "", v.low}};
			    image.files.front().shared.assign(255, 0);
			    image.files.front().shared.back() = 1;
			    return image;
		    });
		add("two-a-block-apart", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kWhole, "", v.low},
					 filler(0),
					 {kWhole, "", v.own}});
		    });
		add("two-behind-a-block", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({filler(4),
					 {kWhole, "", v.low},
					 {kWhole, "", v.own}});
		    });
		add("two-around-label", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({{kWhole, "", v.low},
					 label(),
					 {kWhole, "", v.own}});
		    });
		add("two-behind-label", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    return with({label(),
					 {kWhole, "", v.low},
					 {kWhole, "", v.own}});
		    });
		add("two-in-small-blocks", CaseVerdict::kAmbiguous,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.low},
						   filler(16, 1024),
						   {kWhole, "", v.own}});

			    image.block_size = 512;
			    return image;
		    });
	}

	void unusable()
	{
		add("unusable-empty", CaseVerdict::kUnusable,
		    [](const CaseValues &) {
			    return with({{kWhole, "", ""}});
		    });
		add("unusable-empty-shared", CaseVerdict::kUnusable,
		    [](const CaseValues &) {
			    return with_shared({{kWhole, "", ""}});
		    });
		add("unusable-257-bytes", CaseVerdict::kUnusable,
		    [](const CaseValues &) {
			    return with({{kWhole, "",
					  std::string(kLongest + 1, 'L')}});
		    });
		add("unusable-257-bytes-shared", CaseVerdict::kUnusable,
		    [](const CaseValues &) {
			    return with_shared(
				    {{kWhole, "",
				      std::string(kLongest + 1, 'L')}});
		    });
		add("unusable-5000-bytes", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    return with({{kWhole, "",
					  v.own + std::string(5000, 'L')}});
		    });
	}

	/// Each has one right fingerprint, and something that cannot be read.
	void damaged()
	{
		add("damaged-count", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    image.files.front().shared_count = 255;
			    return image;
		    });
		add("damaged-value", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    image.files.front().cut = 4;
			    return image;
		    });
		add("damaged-next", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    RawImage image =
				    with({{kWhole, "", v.own}, label()});

			    image.files.front().cut = 4;
			    return image;
		    });
		add("damaged-name", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    RawImage image = with(
				    {{kWhole, "", v.own},
				     {kUser, "a-name-that-is-cut-short", ""}});

			    image.files.front().cut = 8;
			    return image;
		    });
		add("damaged-behind-a-block", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    RawImage image = with(
				    {{kWhole, "", v.own}, filler(0), label()});

			    image.files.front().cut = 4;
			    return image;
		    });
		add("damaged-reference", CaseVerdict::kUnusable,
		    [](const CaseValues &v) {
			    RawImage image = with({{kWhole, "", v.own}});

			    // It refers to what is not there.
			    image.files.front().shared = {0};
			    return image;
		    });
	}

	void by_mkfs()
	{
		const Archive lower = [](const CaseValues &v) {
			return std::vector<Attribute>{{kNamedAttribute, v.low}};
		};
		const Archive higher = [](const CaseValues &v) {
			return std::vector<Attribute>{
				{kNamedAttribute, v.high}};
		};
		const Archive labelled = [](const CaseValues &) {
			return std::vector<Attribute>{
				{"security.selinux", label().value}};
		};
		const std::vector<
			std::pair<std::string, std::vector<std::string>>>
			layouts = {
				{"noinline",
				 {"--aufs", "-Enoinline_data", "-b4096"}},
				{"inline", {"-b4096"}},
				{"chunk", {"-b4096", "--chunksize=4096"}},
				{"lz4", {"-b4096", "-zlz4"}},
				{"512", {"-b512"}},
			};

		for (const auto &[layout, options] : layouts) {
			std::vector<std::string> all = options;

			all.emplace_back(kNamed);
			add("mkfs-lower-" + layout, CaseVerdict::kAmbiguous,
			    all, lower);
			add("mkfs-higher-" + layout, CaseVerdict::kAmbiguous,
			    all, higher);
			add("mkfs-label-" + layout, CaseVerdict::kOne, all,
			    labelled);
			all.back() = kHiddenForm;
			add("mkfs-hidden-label-" + layout, CaseVerdict::kOne,
			    all, labelled);
		}
		by_mkfs_in_other_forms();
	}

	void by_mkfs_in_other_forms()
	{
		for (const bool low : {true, false})
			add(low ? "mkfs-hidden-lower" : "mkfs-hidden-higher",
			    CaseVerdict::kAmbiguous, {"-b4096", kHiddenForm},
			    [low](const CaseValues &v) {
				    return std::vector<Attribute>{
					    {kHiddenAttribute,
					     low ? v.low : v.high}};
			    });
		// To an image in the hidden form, the named one is no
		// fingerprint: a tree that was once an overlay.
		add("mkfs-hidden-stale-named", CaseVerdict::kOne,
		    {"-b4096", kHiddenForm}, [](const CaseValues &v) {
			    return std::vector<Attribute>{
				    {kNamedAttribute, v.low}};
		    });
		for (const std::string option :
		     {"-E^xattr-name-filter", "-x1",
		      "--xattr-prefix=trusted.erofs."}) {
			const std::string name = option[1] == 'E'   ? "nofilter"
						 : option[1] == 'x' ? "x1"
								    : "split";

			add("mkfs-one-" + name, CaseVerdict::kOne,
			    {"-b4096", option, kNamed}, [](const CaseValues &) {
				    return std::vector<Attribute>{};
			    });
			add("mkfs-lower-" + name, CaseVerdict::kAmbiguous,
			    {"-b4096", option, kNamed},
			    [](const CaseValues &v) {
				    return std::vector<Attribute>{
					    {kNamedAttribute, v.low}};
			    });
		}
	}

	std::vector<FingerprintCase> cases_;
};

} // namespace

const char *case_verdict_name(CaseVerdict verdict)
{
	switch (verdict) {
	case CaseVerdict::kOne:
		return "one";
	case CaseVerdict::kNone:
		return "none";
	case CaseVerdict::kAmbiguous:
		return "ambiguous";
	case CaseVerdict::kUnusable:
		break;
	}
	return "unusable";
}

const std::vector<FingerprintCase> &fingerprint_cases()
{
	static const std::vector<FingerprintCase> kCases = List().run();

	return kCases;
}

} // namespace erofs_share
