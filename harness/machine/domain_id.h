// SPDX-License-Identifier: GPL-2.0-only
// A domain id as the harness may hold it: it is a secret, so it lies masked in
// memory and its plain text exists only while a Revealed object lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace erofs_share {

/// The secret that names a domain. Copyable; never printed.
class DomainId {
      public:
	/// The plain text for the time of one system call; wiped at the end.
	class Revealed {
	      public:
		explicit Revealed(const DomainId &id);
		Revealed(const Revealed &) = delete;
		Revealed &operator=(const Revealed &) = delete;
		Revealed(Revealed &&) = delete;
		Revealed &operator=(Revealed &&) = delete;
		~Revealed();

		/// NUL-terminated plain text, owned by this object.
		[[nodiscard]] const char *c_str() const
		{
			return text_.data();
		}
		[[nodiscard]] std::string_view view() const
		{
			return {text_.data(), text_.size() - 1};
		}

	      private:
		std::vector<char> text_;
	};

	/// Hides @text; the caller's copy stays the caller's to wipe.
	explicit DomainId(std::string_view text);

	/// A new id of 32 hexadecimal digits from getrandom(2).
	static DomainId random();

	/// The id whose masked bytes are @hex, as masked_hex() gave it: how an
	/// id gets into a guest. Throws std::invalid_argument.
	static DomainId from_masked_hex(std::string_view hex);
	[[nodiscard]] std::string masked_hex() const;

	/// Bytes in the plain text.
	[[nodiscard]] std::size_t size() const
	{
		return masked_.size();
	}
	/// Writes the plain text to the size() bytes at @out, which are the
	/// caller's to wipe. A byte at a time: no register ever holds more of
	/// it, so none can reach the memory where the kernel saves them.
	void reveal_to(char *out) const;

	[[nodiscard]] Revealed reveal() const
	{
		return Revealed(*this);
	}

      private:
	DomainId() = default;

	static constexpr char kMask = 0x5a;
	std::vector<char> masked_;
};

} // namespace erofs_share
