// rotomask in C++17: rotoscoping masks for video editors. Headers alone, over the C library of rotomask.h.
//
//   auto model = rotomask::Model::open();                          // the model that is built in
//   auto session = rotomask::Session::open(model, width, height);  // one shot
//   session.click(1, 0, {x, y});                                   // object 1, frame 0
//   session.push(0, rotomask::Frame::rgba8(pixels, width, height));
//   auto mask = session.binary(1);                                 // 0 or 255 for each pixel
//
// Whatever is opened is a class that is moved and not copied, and closes itself. What a call does, its ranges and units
// are told in rotomask.h beside the function of the same name; here stands what is different in C++.
//
// **Errors.** A call that fails throws rotomask::Error, with a status and a sentence. With
// `#define ROTOMASK_HPP_EXPECTED 1` before the first #include it returns rotomask::expected<T> instead, and nothing here
// throws: that is also built with -fno-exceptions. The documentation says "gives T" for either.
//
// **Callbacks** are any callable. What one of them throws never passes through C: it stops the work, and comes out of the
// call that was made, in either way of telling errors. What was finished before stays.
//
// **Threads.** A handle may be used from any thread; calls on one of them wait for each other. Only cancel() and
// last_error() don't wait: they are for other threads. A handle must not be moved from, or destroyed, while it is used.
// Calls that are told to block in rotomask.h do so here.
//
// **Memory.** Frame and Canvas are views: pixels stay the caller's, and nothing of them is kept after a call.
// Strings are UTF-8; what follows a NUL in one isn't read.
//
// `#define ROTOMASK_HPP_DRAFT 1` adds the calls of rotomask_draft.h, which may change with any release.
#ifndef ROTOMASK_HPP
#define ROTOMASK_HPP

#include "rotomask/automatic.hpp"
#include "rotomask/error.hpp"
#include "rotomask/image.hpp"
#include "rotomask/log.hpp"
#include "rotomask/matte.hpp"
#include "rotomask/model.hpp"
#include "rotomask/options.hpp"
#include "rotomask/session.hpp"
#include "rotomask/session_file.hpp"
#include "rotomask/track.hpp"
#include "rotomask/view.hpp"
#if defined(ROTOMASK_HPP_DRAFT) && ROTOMASK_HPP_DRAFT
#include "rotomask/draft.hpp"
#endif

#endif  // ROTOMASK_HPP
