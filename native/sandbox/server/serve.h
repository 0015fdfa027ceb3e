#pragma once

/// Makes a process for each request that comes by the stream socket `request_fd` (fork_request.h):
/// in a sandbox of its own, with the memory of the caller, as a child of the caller's parent.
/// Returns in each of these, once, as the script that is still to come: the number of the control
/// descriptor, from which it reads what it is to do. In the caller it returns -1 when the socket
/// has ended.
///
/// The caller has one thread, its memory no secrets, and it is a child of the worker.
extern "C" __attribute__((visibility("default"))) int scriptd_serve(int request_fd);
