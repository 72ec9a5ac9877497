// The one place that includes c-ares: of its newer versions only what the one in Debian 12 has too,
// most of which they call deprecated.
#pragma once

#define CARES_NO_DEPRECATED
#include <ares.h>
