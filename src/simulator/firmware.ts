import { numberAt, textAt } from '../protocol/json.ts';
import { BAD_ARGUMENT, type Method, type Module, NO_MEMORY, OK, UNKNOWN_ERROR } from './plug-device.ts';

const IDLE = { status: 0, ratio: 0, reboot_time: 5, flash_time: 5 };

/**
 * What `system` offers for firmware and production. Nothing is ever downloaded; the first hardware has no word for
 * a download that was not begun.
 */
export function firmwareMethods(isOld: boolean): Module {
  return {
    download_firmware: (argument) => (textAt(argument, 'url') === undefined ? BAD_ARGUMENT : OK),
    get_download_state: () => (isOld ? UNKNOWN_ERROR : { ...IDLE, err_code: 0 }),
    flash_firmware: () => NO_MEMORY,
    check_new_config: () => OK,
    test_check_uboot: () => OK,
    set_test_mode: () => OK,
  };
}

/** The methods of `system` that want to know in how many seconds; here it is done at once. */
export function restartMethods(reboot: () => void, reset: () => void): Module {
  return { reboot: withDelay(reboot), reset: withDelay(reset) };
}

function withDelay(run: () => void): Method {
  return (argument) => {
    if (!Number.isInteger(numberAt(argument, 'delay'))) return BAD_ARGUMENT;
    run();
    return OK;
  };
}
