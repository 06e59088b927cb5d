// main.cpp -- runs everybody in turns, and tells what each took.
//
//     micro [--quick] [--only TEXT] [--rounds N] --json FILE    time, by Google Benchmark
//     micro [--quick] [--only TEXT] --instructions              a round of each, for callgrind:
//                                                               see run.sh
//     micro [--quick] --echo, --memory                          see echo.cpp, memory.cpp
//     micro [--quick] --list                                    what there is
//
// Times are the processor's. Repetitions come in random order, so that nobody has the worse minute.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <valgrind/callgrind.h>

#include "echo.hpp"
#include "heap.hpp"
#include "question.hpp"

namespace {

const char* name_of(bench::part role) {
    return role == bench::part::floor ? "floor" : role == bench::part::ours ? "ours" : "peer";
}

void measure(benchmark::State& state, const bench::entry& one, double allocations) {
    for (auto _ : state) one.round();
    state.SetLabel(name_of(one.role));
    state.counters["messages"] = static_cast<double>(one.messages);
    state.counters["allocations"] = allocations;
}

// Of a message, once everything is warm.
double allocations_of(const bench::entry& one) {
    one.round();  // compared
    one.round();
    const std::size_t before = bench::heap_now().taken;
    one.round();
    return static_cast<double>(bench::heap_now().taken - before) /
           static_cast<double>(one.messages);
}

void count_instructions() {
    for (const bench::entry& one : bench::entries()) {
        const std::string name = one.name + "/" + one.variant;
        one.round();
        CALLGRIND_ZERO_STATS;
        one.round();
        CALLGRIND_DUMP_STATS_AT(name.c_str());
    }
}

void measure_time(const std::string& json, int rounds, bool quick) {
    for (const bench::entry& one : bench::entries()) {
        const double allocations = allocations_of(one);
        benchmark::RegisterBenchmark((one.name + "/" + one.variant).c_str(), measure, one,
                                     allocations);
    }
    std::vector<std::string> arguments{
        "micro",
        "--benchmark_enable_random_interleaving=true",
        "--benchmark_repetitions=" + std::to_string(rounds),
        std::string("--benchmark_min_time=") + (quick ? "0.002" : "0.01"),
        "--benchmark_out_format=json",
        "--benchmark_out=" + json,
    };
    std::vector<char*> pointers;
    for (std::string& each : arguments) pointers.push_back(each.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}

void list() {
    for (const bench::entry& one : bench::entries()) {
        std::printf("%s\t%s\t%s\t%zu\n", one.name.c_str(), one.variant.c_str(), name_of(one.role),
                    one.messages);
    }
}

}  // namespace

int main(int count, char** given) {
    bool quick = false;
    std::string only;
    std::string json;
    int rounds = 11;
    enum class task { time, instructions, echo, memory, list } what = task::time;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = given[i];
        const bool has_value = i + 1 < count;
        if (word == "--quick") {
            quick = true;
        } else if (word == "--instructions") {
            what = task::instructions;
        } else if (word == "--echo") {
            what = task::echo;
        } else if (word == "--memory") {
            what = task::memory;
        } else if (word == "--list") {
            what = task::list;
        } else if (word == "--only" && has_value) {
            only = given[++i];
        } else if (word == "--json" && has_value) {
            json = given[++i];
        } else if (word == "--rounds" && has_value) {
            rounds = std::atoi(given[++i]);
        } else {
            std::fprintf(stderr, "usage: see the first lines of main.cpp\n");
            return 2;
        }
    }
    if (what == task::echo) bench::measure_echo(quick);
    if (what == task::memory) bench::measure_memory();
    if (what == task::echo || what == task::memory) return 0;
    for (const bench::adder add : bench::questions()) add(quick);
    std::erase_if(bench::entries(), [&](const bench::entry& one) {
        return (one.name + "/" + one.variant).find(only) == std::string::npos;
    });
    if (what == task::instructions) count_instructions();
    if (what == task::time) measure_time(json, rounds, quick);
    if (what == task::list) list();
    bench::entries().clear();  // while what they use is still there
}
