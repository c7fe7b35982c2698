/* What takes the place of libraries in llmroute-http.so
   (cmake/http_module.cmake). libcurl is used for HTTP alone, but names
   functions of libraries for protocols, logins and encodings that
   curl_transfer.cc never asks for. Here each of them says that it failed. If a
   function is missing here, the module is not linked and the program opens the
   system's libcurl. */
#include <curl/curlver.h>
#include <openssl/opensslv.h>
#include <stdint.h>
#include <stdio.h>

#define FAILS(name)    \
  intptr_t name(void); \
  intptr_t name(void) { return -1; }
#define GIVES_NOTHING(name) \
  void* name(void);         \
  void* name(void) { return NULL; }
#define SUCCEEDS(name) \
  int name(void);      \
  int name(void) { return 0; }

/* For `llmroute version`: whether a security update is in it. */
extern const char llmroute_http_versions[];
const char llmroute_http_versions[] =
    "libcurl " LIBCURL_VERSION ", " OPENSSL_VERSION_TEXT " (llmroute-http.so)";

/* Code from an archive finds no variable of another library, so the module has
   one of its own that points to the C library's stream. */
extern FILE actual_stderr __asm__("_IO_2_1_stderr_");
#undef stderr
FILE* stderr = &actual_stderr;

/* SSH; libcurl prepares it when it starts. */
SUCCEEDS(libssh2_exit)
SUCCEEDS(libssh2_init)
GIVES_NOTHING(libssh2_agent_init)
GIVES_NOTHING(libssh2_hostkey_hash)
GIVES_NOTHING(libssh2_knownhost_init)
GIVES_NOTHING(libssh2_scp_recv2)
GIVES_NOTHING(libssh2_scp_send64)
GIVES_NOTHING(libssh2_session_abstract)
GIVES_NOTHING(libssh2_session_callback_set)
GIVES_NOTHING(libssh2_session_hostkey)
GIVES_NOTHING(libssh2_session_init_ex)
GIVES_NOTHING(libssh2_sftp_init)
GIVES_NOTHING(libssh2_sftp_open_ex)
GIVES_NOTHING(libssh2_userauth_list)
GIVES_NOTHING(libssh2_version)
FAILS(libssh2_agent_connect)
FAILS(libssh2_agent_disconnect)
FAILS(libssh2_agent_free)
FAILS(libssh2_agent_get_identity)
FAILS(libssh2_agent_list_identities)
FAILS(libssh2_agent_userauth)
FAILS(libssh2_channel_free)
FAILS(libssh2_channel_read_ex)
FAILS(libssh2_channel_send_eof)
FAILS(libssh2_channel_wait_closed)
FAILS(libssh2_channel_wait_eof)
FAILS(libssh2_channel_write_ex)
FAILS(libssh2_knownhost_add)
FAILS(libssh2_knownhost_checkp)
FAILS(libssh2_knownhost_del)
FAILS(libssh2_knownhost_free)
FAILS(libssh2_knownhost_get)
FAILS(libssh2_knownhost_readfile)
FAILS(libssh2_knownhost_writefile)
FAILS(libssh2_session_block_directions)
FAILS(libssh2_session_disconnect_ex)
FAILS(libssh2_session_flag)
FAILS(libssh2_session_free)
FAILS(libssh2_session_handshake)
FAILS(libssh2_session_last_errno)
FAILS(libssh2_session_last_error)
FAILS(libssh2_session_method_pref)
FAILS(libssh2_session_set_blocking)
FAILS(libssh2_sftp_close_handle)
FAILS(libssh2_sftp_last_error)
FAILS(libssh2_sftp_mkdir_ex)
FAILS(libssh2_sftp_read)
FAILS(libssh2_sftp_readdir_ex)
FAILS(libssh2_sftp_rename_ex)
FAILS(libssh2_sftp_rmdir_ex)
FAILS(libssh2_sftp_seek64)
FAILS(libssh2_sftp_shutdown)
FAILS(libssh2_sftp_stat_ex)
FAILS(libssh2_sftp_statvfs)
FAILS(libssh2_sftp_symlink_ex)
FAILS(libssh2_sftp_unlink_ex)
FAILS(libssh2_sftp_write)
FAILS(libssh2_userauth_authenticated)
FAILS(libssh2_userauth_keyboard_interactive_ex)
FAILS(libssh2_userauth_password_ex)
FAILS(libssh2_userauth_publickey_fromfile_ex)

/* LDAP. */
GIVES_NOTHING(ldap_err2string)
FAILS(ber_bvfree)
FAILS(ber_free)
FAILS(ber_memfree)
FAILS(ber_sockbuf_add_io)
FAILS(ldap_abandon_ext)
FAILS(ldap_free_urldesc)
FAILS(ldap_get_attribute_ber)
FAILS(ldap_get_dn_ber)
FAILS(ldap_get_option)
FAILS(ldap_init_fd)
FAILS(ldap_memfree)
FAILS(ldap_msgfree)
FAILS(ldap_msgtype)
FAILS(ldap_parse_result)
FAILS(ldap_parse_sasl_bind_result)
FAILS(ldap_pvt_url_scheme2proto)
FAILS(ldap_result)
FAILS(ldap_sasl_bind)
FAILS(ldap_search_ext)
FAILS(ldap_set_option)
FAILS(ldap_start_tls)
FAILS(ldap_unbind_ext)
FAILS(ldap_url_parse)

/* Kerberos. */
FAILS(gss_delete_sec_context)
FAILS(gss_display_name)
FAILS(gss_display_status)
FAILS(gss_import_name)
FAILS(gss_init_sec_context)
FAILS(gss_inquire_context)
FAILS(gss_release_buffer)
FAILS(gss_release_name)
FAILS(gss_unwrap)
FAILS(gss_wrap)
void* GSS_C_NT_HOSTBASED_SERVICE;

/* RTMP. */
GIVES_NOTHING(RTMP_Alloc)
FAILS(RTMP_Close)
FAILS(RTMP_Connect1)
FAILS(RTMP_ConnectStream)
FAILS(RTMP_Free)
FAILS(RTMP_Init)
FAILS(RTMP_Read)
FAILS(RTMP_SetBufferMS)
FAILS(RTMP_SetupURL)
FAILS(RTMP_Write)

/* Encodings of answers. */
GIVES_NOTHING(BrotliDecoderCreateInstance)
GIVES_NOTHING(ZSTD_createDStream)
FAILS(BrotliDecoderDecompressStream)
FAILS(BrotliDecoderDestroyInstance)
FAILS(BrotliDecoderGetErrorCode)
FAILS(ZSTD_decompressStream)
FAILS(ZSTD_freeDStream)
FAILS(ZSTD_isError)

/* Names that are not ASCII, cookies. */
SUCCEEDS(psl_is_cookie_domain_acceptable)
GIVES_NOTHING(idn2_check_version)
GIVES_NOTHING(psl_builtin)
GIVES_NOTHING(psl_latest)
FAILS(idn2_free)
FAILS(idn2_lookup_ul)
FAILS(psl_free)
