# scd_proto_library(TARGET name...): proto/NAME.proto through protoc-c into a static library; headers are included as "NAME.pb-c.h".
find_program(PROTOC_C protoc-c REQUIRED)
function(scd_proto_library target)
  set(out ${CMAKE_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  foreach(name ${ARGN})
    list(APPEND protos ${CMAKE_SOURCE_DIR}/proto/${name}.proto)
    list(APPEND generated ${out}/${name}.pb-c.c ${out}/${name}.pb-c.h)
  endforeach()
  foreach(name ${ARGN})
    add_custom_command(
      OUTPUT ${out}/${name}.pb-c.c ${out}/${name}.pb-c.h
      COMMAND ${PROTOC_C} --proto_path=${CMAKE_SOURCE_DIR}/proto --c_out=${out} ${CMAKE_SOURCE_DIR}/proto/${name}.proto
      DEPENDS ${protos}
      COMMENT "protoc-c ${name}.proto")
  endforeach()
  add_library(${target} STATIC ${generated})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC scd_hardening PkgConfig::PROTOBUF_C)
endfunction()
