# sp_contracts(TARGET): compiles the contracts that spctl deploys and adds their code to TARGET as the source contracts_code.cpp
# (apps/spctl/contracts_code.hpp declares it).
#
# Run as a script (cmake -P) with ROOT, OUTPUT and STAMP_FOLDER it does the work: forge from npm compiles, unless contracts/out
# is newer than every source already.
set(SP_CONTRACTS Market Registry TestToken)

function(sp_contract_artifact name root out)
  set(${out} ${root}/contracts/out/${name}.sol/${name}.json PARENT_SCOPE)
endfunction()

function(sp_contracts target)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/contracts/src/*.sol)
  set(output ${CMAKE_BINARY_DIR}/contracts/contracts_code.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DOUTPUT=${output} -P ${CMAKE_SOURCE_DIR}/cmake/Contracts.cmake
    DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/contracts/foundry.toml ${CMAKE_SOURCE_DIR}/cmake/Contracts.cmake
    COMMENT "Contracts' code"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

# Whether every artifact is newer than every source.
function(sp_contracts_fresh out)
  set(${out} TRUE PARENT_SCOPE)
  file(GLOB_RECURSE sources ${ROOT}/contracts/src/*.sol)
  foreach(name ${SP_CONTRACTS})
    sp_contract_artifact(${name} ${ROOT} artifact)
    foreach(source ${sources} ${ROOT}/contracts/foundry.toml)
      if(NOT EXISTS ${artifact} OR ${source} IS_NEWER_THAN ${artifact})
        set(${out} FALSE PARENT_SCOPE)
      endif()
    endforeach()
  endforeach()
endfunction()

function(sp_contracts_compile)
  set(forge ${ROOT}/node_modules/@foundry-rs/forge-linux-amd64/bin/forge)
  if(NOT EXISTS ${forge})
    message(FATAL_ERROR "forge isn't installed: run 'npm ci' in ${ROOT} first")
  endif()
  execute_process(
    COMMAND ${forge} build src/Market.sol src/Registry.sol src/test-token/TestToken.sol
    WORKING_DIRECTORY ${ROOT}/contracts OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Where immutables stand in runtime code: "{which, offset}, ...". The compiler names each by the number of its declaration; which
# of them it is counts in that order.
function(sp_contract_immutables json out)
  string(JSON references GET "${json}" deployedBytecode immutableReferences)
  string(JSON count LENGTH "${references}")
  set(declarations "")
  if(count GREATER 0)
    math(EXPR last "${count} - 1")
    foreach(i RANGE ${last})
      string(JSON declaration MEMBER "${references}" ${i})
      list(APPEND declarations ${declaration})
    endforeach()
    list(SORT declarations COMPARE NATURAL)
  endif()
  set(uses "")
  set(which 0)
  foreach(declaration ${declarations})
    string(JSON places LENGTH "${references}" ${declaration})
    math(EXPR last "${places} - 1")
    foreach(i RANGE ${last})
      string(JSON start GET "${references}" ${declaration} ${i} start)
      string(APPEND uses "{${which}, ${start}}, ")
    endforeach()
    math(EXPR which "${which} + 1")
  endforeach()
  set(${out} "${uses}" PARENT_SCOPE)
endfunction()

function(sp_contracts_write)
  set(text "// Made by cmake/Contracts.cmake.\n#include \"spctl/contracts_code.hpp\"\n\nnamespace sp::spctl {\n\n")
  foreach(name ${SP_CONTRACTS})
    sp_contract_artifact(${name} ${ROOT} artifact)
    file(READ ${artifact} json)
    string(JSON code GET "${json}" bytecode object)
    if(NOT code MATCHES "^0x[0-9a-f]+$")
      message(FATAL_ERROR "${artifact} holds no linked bytecode")
    endif()
    string(JSON runtime GET "${json}" deployedBytecode object)
    sp_contract_immutables("${json}" uses)
    string(APPEND text "const std::string_view k${name}Code = \"${code}\";\n"
      "const std::string_view k${name}Runtime = \"${runtime}\";\n"
      "const std::vector<ImmutableUse> k${name}Immutables = {${uses}};\n")
  endforeach()
  string(APPEND text "\n}  // namespace sp::spctl\n")
  file(WRITE ${OUTPUT} "${text}")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  sp_contracts_fresh(fresh)
  if(NOT fresh)
    sp_contracts_compile()
  endif()
  sp_contracts_write()
endif()
