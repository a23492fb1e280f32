// SPDX-License-Identifier: GPL-2.0-only
// Sending and reading the guest's records.
#include "wire/record.h"

#include "base/error.h"
#include "wire/virtio_port.h"

#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>

namespace erofs_share {

RecordWriter::RecordWriter()
{
	if (const char *inherited = getenv(kResultFd); inherited != nullptr) {
		fd_ = UniqueFd(fcntl(std::stoi(inherited), F_DUPFD_CLOEXEC, 0));
		if (!fd_.valid())
			throw_errno(std::string("descriptor of ") + kResultFd);
		return;
	}
	try {
		fd_ = open_port(kResultPort, O_WRONLY);
	} catch (const std::system_error &error) {
		if (error.code().value() != ENODEV)
			throw;
	}
}

void RecordWriter::share_with_children() const
{
	if (!fd_.valid())
		return;

	// Left open on purpose: it lives as long as the process.
	const int copy = fcntl(fd_.get(), F_DUPFD, 0);

	if (copy < 0 || setenv(kResultFd, std::to_string(copy).c_str(), 1) != 0)
		throw_errno("share the result port");
}

void RecordWriter::send(const Record &record) const
{
	if (!fd_.valid())
		return;

	// Bytes that are no UTF-8, from a kernel log say, must not stop us.
	const std::string line =
		record.dump(-1, ' ', false,
			    nlohmann::json::error_handler_t::replace) +
		"\n";

	write_all(fd_.get(), std::as_bytes(std::span(line)), kResultPort);
}

std::vector<Record> read_records(const std::string &path)
{
	const std::string text = read_text(path);
	std::vector<Record> records;
	std::size_t start = 0;

	for (;;) {
		const std::size_t end = text.find('\n', start);

		if (end == std::string::npos)
			return records;
		try {
			records.push_back(Record::parse(
				text.begin() +
					static_cast<std::ptrdiff_t>(start),
				text.begin() +
					static_cast<std::ptrdiff_t>(end)));
		} catch (const Record::exception &error) {
			throw std::runtime_error(
				path + ", record " +
				std::to_string(records.size() + 1) + ": " +
				error.what());
		}
		start = end + 1;
	}
}

} // namespace erofs_share
