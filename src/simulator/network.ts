import { numberAt, textAt } from '../protocol/json.ts';
import { BAD_ARGUMENT, type Module, NO_SERVER, NOT_BOUND, OK } from './plug-device.ts';

/** What a simulated device is connected to: a Wi-Fi and, perhaps, the cloud. */
export class SimulatedNetwork {
  readonly #mac: string;
  readonly #isOld: boolean;
  ssid = 'museum';
  password = '';
  /** The cloud account that the device is bound to; empty if it is bound to none. */
  account = '';
  server = 'devs.tplinkcloud.com';
  /** Called when the device is sent into another Wi-Fi. */
  onJoin: () => void = () => {};

  constructor(mac: string, isOld: boolean) {
    this.#mac = mac;
    this.#isOld = isOld;
  }

  cloud(): Module {
    return {
      get_info: () => ({
        username: this.account,
        server: this.server,
        binded: this.account === '' ? 0 : 1,
        cld_connection: this.account === '' ? 0 : 1,
        illegalType: -1,
        stopConnect: -1,
        tcspStatus: -1,
        fwDlPage: '',
        tcspInfo: '',
        fwNotifyType: 0,
        err_code: 0,
      }),
      get_intl_fw_list: () => ({ fw_list: [], err_code: 0 }),
      // There is no cloud to reach.
      bind: (argument) => {
        const given = [textAt(argument, 'username'), textAt(argument, 'password')];
        return given.includes(undefined) ? BAD_ARGUMENT : NO_SERVER;
      },
      unbind: () => {
        if (this.account === '') return NOT_BOUND;
        this.account = '';
        return OK;
      },
      set_server_url: (argument) => {
        const server = textAt(argument, 'server');
        if (server === undefined || server === '') return BAD_ARGUMENT;
        this.server = server;
        return OK;
      },
    };
  }

  netif(): Module {
    return {
      get_scaninfo: () => ({
        ap_list: [
          { ssid: 'museum', key_type: 3 },
          { ssid: 'visitors', key_type: 0 },
        ],
        err_code: 0,
      }),
      ...(this.#isOld
        ? {}
        : { get_stainfo: () => ({ ssid: this.ssid, key_type: 3, rssi: -52, err_code: 0 }) }),
      set_stainfo: (argument) => {
        const [ssid, password] = [textAt(argument, 'ssid'), textAt(argument, 'password')];
        if (ssid === undefined || password === undefined || numberAt(argument, 'key_type') === undefined)
          return BAD_ARGUMENT;
        this.ssid = ssid;
        this.password = password;
        this.onJoin();
        return this.#isOld ? { mac: this.#mac, err_code: 0 } : OK;
      },
    };
  }
}
