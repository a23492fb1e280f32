// SPDX-License-Identifier: GPL-2.0-only
// Talking to the audit subsystem over netlink.
#include "support/audit_log.h"

#include "base/error.h"

#include <array>
#include <cstring>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace erofs_share {

namespace {

/// The last record, written by ourselves.
constexpr const char *kEnd = "erofs-share: all calls are done";

UniqueFd audit_socket(unsigned int groups)
{
	UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));
	sockaddr_nl address{};

	if (!fd.valid())
		return fd;
	address.nl_family = AF_NETLINK;
	address.nl_groups = groups;
	if (bind(fd.get(), reinterpret_cast<const sockaddr *>(&address),
		 sizeof(address)) != 0)
		throw_errno("bind an audit socket");
	// A record that never comes must not hang the test.
	const timeval patience{.tv_sec = 20, .tv_usec = 0};
	const int room = 4 << 20;
	setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return fd;
}

} // namespace

std::string AuditLog::unavailable()
{
	const UniqueFd fd = audit_socket(0);

	return fd.valid()
		       ? ""
		       : "this kernel has no audit (" +
				 std::generic_category().message(errno) + ")";
}

AuditLog::AuditLog()
    : control_(audit_socket(0)),
      records_(audit_socket(1U << (AUDIT_NLGRP_READLOG - 1)))
{
	if (!control_.valid() || !records_.valid())
		throw_errno("audit socket");
	int error = enable(true);
	if (error == 0)
		error = rule(AUDIT_ADD_RULE);
	if (error != 0)
		throw_error(error, "turn auditing on");
}

AuditLog::~AuditLog()
{
	static_cast<void>(rule(AUDIT_DEL_RULE));
	static_cast<void>(enable(false));
}

int AuditLog::enable(bool on)
{
	audit_status status{};

	status.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_BACKLOG_LIMIT;
	status.enabled = on ? 1 : 0;
	status.backlog_limit = 8192;
	return request(AUDIT_SET, std::as_bytes(std::span(&status, 1)));
}

int AuditLog::rule(std::uint16_t type)
{
	audit_rule_data data{};

	data.flags = AUDIT_FILTER_EXIT;
	data.action = AUDIT_ALWAYS;
	for (const long number :
	     {SYS_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_move_mount})
		data.mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
	return request(type, std::as_bytes(std::span(&data, 1)));
}

int AuditLog::request(std::uint16_t type, std::span<const std::byte> body)
{
	std::array<std::byte, 16384> message{};
	std::array<std::byte, 16384> answer{};
	nlmsghdr head{};

	head.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(body.size()));
	head.nlmsg_type = type;
	head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	std::memcpy(message.data(), &head, sizeof(head));
	std::memcpy(message.data() + NLMSG_HDRLEN, body.data(), body.size());
	if (send(control_.get(), message.data(), head.nlmsg_len, 0) < 0)
		return errno;
	for (;;) {
		if (recv(control_.get(), answer.data(), answer.size(), 0) < 0)
			return errno;
		std::memcpy(&head, answer.data(), sizeof(head));
		if (head.nlmsg_type != NLMSG_ERROR)
			continue;
		int error = 0;
		std::memcpy(&error, answer.data() + NLMSG_HDRLEN,
			    sizeof(error));
		return -error;
	}
}

std::vector<std::string> AuditLog::read_all()
{
	std::array<char, 16384> message{};
	std::vector<std::string> records;
	const std::string end = kEnd;
	const int error =
		request(AUDIT_USER,
			std::as_bytes(std::span(end.c_str(), end.size() + 1)));

	if (error != 0)
		throw_error(error, "write an audit record");
	for (;;) {
		const ssize_t got =
			recv(records_.get(), message.data(), message.size(), 0);
		nlmsghdr head{};

		if (got < 0)
			throw_errno("read audit records");
		std::memcpy(&head, message.data(), sizeof(head));
		const std::string text(message.data() + NLMSG_HDRLEN,
				       static_cast<std::size_t>(got) -
					       NLMSG_HDRLEN);
		if (text.find(kEnd) != std::string::npos)
			return records;
		records.push_back("type=" + std::to_string(head.nlmsg_type) +
				  " " + text);
	}
}

} // namespace erofs_share
