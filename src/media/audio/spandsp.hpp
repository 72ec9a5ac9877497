// The one place that includes spandsp's headers: they must come in this order, which a formatter
// would not keep, and after <cmath>, whose functions they redefine.
#pragma once

// clang-format off
#include <cmath>
#include <cstdint>

#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
#include <spandsp/plc.h>
// clang-format on
