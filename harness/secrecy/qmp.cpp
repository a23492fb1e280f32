// SPDX-License-Identifier: GPL-2.0-only
// A small QMP client.
#include "secrecy/qmp.h"

#include "base/error.h"

#include <array>
#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace erofs_share {

Qmp::Qmp(const std::string &path)
    : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), path_(path)
{
	sockaddr_un address{};

	if (!fd_.valid())
		throw_errno("socket");
	if (path.size() >= sizeof(address.sun_path))
		throw_error(ENAMETOOLONG, "QMP socket " + path);
	address.sun_family = AF_UNIX;
	std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
	if (connect(fd_.get(), reinterpret_cast<const sockaddr *>(&address),
		    sizeof(address)) != 0)
		throw_errno("connect to QMP socket " + path);
	// QEMU greets first and takes nothing before this command.
	receive();
	execute("qmp_capabilities");
}

void Qmp::stop()
{
	execute("stop");
}

void Qmp::resume()
{
	execute("cont");
}

void Qmp::execute(const std::string &command)
{
	const std::string line =
		nlohmann::json{{"execute", command}}.dump() + "\n";

	write_all(fd_.get(), std::as_bytes(std::span(line)), path_);
	for (;;) {
		const nlohmann::json answer = receive();

		if (answer.contains("error"))
			throw std::runtime_error(
				path_ + ": " + command + ": " +
				answer.at("error").value("desc", "failed"));
		// Events come at any time.
		if (answer.contains("return"))
			return;
	}
}

nlohmann::json Qmp::receive()
{
	std::array<char, 4096> part{};

	for (;;) {
		const std::size_t end = pending_.find('\n');

		if (end != std::string::npos) {
			auto message =
				nlohmann::json::parse(pending_.substr(0, end));
			pending_.erase(0, end + 1);
			return message;
		}
		const ssize_t got = read(fd_.get(), part.data(), part.size());
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			throw_errno("read QMP socket " + path_);
		if (got == 0)
			throw_error(ECONNRESET, "QMP socket " + path_);
		pending_.append(part.data(), static_cast<std::size_t>(got));
	}
}

} // namespace erofs_share
