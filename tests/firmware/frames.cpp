// Frames only: what the codec costs firmware that decodes, unmasks, checks text and encodes
// headers.
#include <sockless/frame_reader.hpp>
#include <sockless/frame_writer.hpp>

using namespace sockless;

extern "C" frame_event probe(frame_reader& reader, frame_writer& writer, std::span<octet>& in,
                             frame_kind kind, frame_start& out) {
    static_cast<void>(writer.start(kind, in.size(), std::nullopt, out));
    return reader.next(in);
}
