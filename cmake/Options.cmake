# How everything is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(SP_FUZZ "Build the fuzz targets with libFuzzer (needs clang)" OFF)
option(SP_MUTANTS "Let SP_MUTANT name one check of evidence that is left out (make mutants)" OFF)
set(SP_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them: address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wtype-limits -Wimplicit-fallthrough -Werror
  -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
add_compile_definitions(_GNU_SOURCE)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
if(SP_MUTANTS)
  add_compile_definitions(SP_MUTANTS)
endif()
if(SP_FUZZ)
  # All code under test tells its coverage, not only the target's own file.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(SP_SANITIZE)
  add_compile_options(-fsanitize=${SP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SP_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Clang 14 can't compile coroutines with it.
    add_compile_options(-fno-sanitize=function)
  else()
    # What sanitizers put in makes GCC believe that Boost.Beast reads what was never written.
    add_compile_options(-Wno-maybe-uninitialized)
    if(SP_SANITIZE STREQUAL "thread")
      # Boost.Asio has fences, which GCC warns that ThreadSanitizer doesn't see.
      add_compile_options(-Wno-tsan)
    endif()
  endif()
endif()
