#pragma once

#include "descriptor.h"

namespace scriptd::sandbox {

/// One of a child's streams. Both ends are close-on-exec and numbered above 2. Ours does
/// not block; the child's does, as a program expects of its standard streams.
struct Stream {
  Descriptor ours;  // empty when the child's end is /dev/null or empty too
  Descriptor childs;
};

/// The child reads what we write. @throws SystemError EMFILE, ENFILE
Stream StreamToChild();

/// We read what the child writes. @throws SystemError EMFILE, ENFILE
Stream StreamFromChild();

/// Both read and write: a pair of stream sockets. @throws SystemError EMFILE, ENFILE
Stream SocketStream();

/// The child reads /dev/null. @throws SystemError EMFILE, ENFILE, ENOENT
Stream EmptyStream();

}  // namespace scriptd::sandbox
