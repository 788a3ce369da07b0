# llama.cpp from the git bundle inside the node-llama-cpp package: cloned at configure time, linked statically, hidden.
# The bundle is pinned by its hash; nothing of llama.cpp is committed here.
set(WINNOW_LLAMA_BUNDLE_SHA256 5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51)
set(WINNOW_LLAMA_BUNDLE "${CMAKE_SOURCE_DIR}/node_modules/node-llama-cpp/llama/gitRelease.bundle"
    CACHE FILEPATH "Git bundle of llama.cpp")
set(WINNOW_LLAMA_SOURCE "${CMAKE_SOURCE_DIR}/build/llama.cpp" CACHE PATH "Where the bundle is cloned to")

if(NOT EXISTS "${WINNOW_LLAMA_BUNDLE}")
  message(FATAL_ERROR "The llama.cpp bundle is missing: ${WINNOW_LLAMA_BUNDLE}\nInstall it with: npm ci")
endif()
file(SHA256 "${WINNOW_LLAMA_BUNDLE}" bundle_sha256)
if(NOT bundle_sha256 STREQUAL WINNOW_LLAMA_BUNDLE_SHA256)
  message(FATAL_ERROR "The llama.cpp bundle is not the pinned one (sha256 ${bundle_sha256}).\n"
                      "Install the pinned node-llama-cpp with: npm ci")
endif()

# The stamp is written last, so a clone that was cut short is thrown away and made again.
set(stamp "${WINNOW_LLAMA_SOURCE}/.winnow-${WINNOW_LLAMA_BUNDLE_SHA256}")
if(NOT EXISTS "${stamp}")
  file(REMOVE_RECURSE "${WINNOW_LLAMA_SOURCE}")
  find_package(Git REQUIRED)
  execute_process(
    COMMAND "${GIT_EXECUTABLE}" -c advice.detachedHead=false clone --quiet --depth 1 "${WINNOW_LLAMA_BUNDLE}" "${WINNOW_LLAMA_SOURCE}"
    RESULT_VARIABLE clone_result ERROR_VARIABLE clone_error)
  if(NOT clone_result EQUAL 0)
    message(FATAL_ERROR "Cloning llama.cpp from its bundle failed: ${clone_error}")
  endif()
  file(WRITE "${stamp}" "")
endif()

set(BUILD_SHARED_LIBS OFF)
set(GGML_OPENMP OFF CACHE BOOL "" FORCE)     # Its barrier collapses beside a busy JavaScript thread.
set(GGML_LLAMAFILE OFF CACHE BOOL "" FORCE)  # Its results depend on the batch.
set(GGML_BLAS OFF CACHE BOOL "" FORCE)
set(GGML_NATIVE OFF CACHE BOOL "Compile for this machine's processor only")
if(NOT GGML_NATIVE AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  foreach(feature SSE42 AVX AVX2 BMI2 FMA F16C)
    set(GGML_${feature} ON CACHE BOOL "" FORCE)  # x86-64-v3, what a packed build asks of a machine.
  endforeach()
endif()
if(GGML_CUDA)
  set(GGML_CUDA_NO_VMM ON CACHE BOOL "")  # Otherwise the CUDA driver must be there at link time.
  set(GGML_CUDA_NCCL OFF CACHE BOOL "")
endif()
set(LLAMA_BUILD_IS_DEV OFF CACHE BOOL "" FORCE)
foreach(part COMMON TESTS TOOLS EXAMPLES SERVER APP)
  set(LLAMA_BUILD_${part} OFF CACHE BOOL "" FORCE)
endforeach()

add_subdirectory("${WINNOW_LLAMA_SOURCE}" "${CMAKE_BINARY_DIR}/llama" EXCLUDE_FROM_ALL)

# How ggml's threads wait for each other: see the header.
target_compile_options(ggml-cpu PRIVATE
  $<$<AND:$<COMPILE_LANGUAGE:C>,$<C_COMPILER_ID:GNU,Clang>>:-include${CMAKE_SOURCE_DIR}/cpp/kernels/spin_wait.h>)
